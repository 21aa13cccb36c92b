// Two diverging scales that the colour-blind can tell apart too, for each theme.

const SCALES = {
  light: {
    value: ["#00527f", "#5fa5d0", "#f6f5f1", "#f0a36a", "#a84300"],
    gradient: ["#5b1a68", "#ae86bd", "#f6f5f1", "#86c08e", "#0f5a29"],
  },
  dark: {
    value: ["#8fd0ff", "#2f7fb5", "#2a3038", "#b05a1c", "#ffb27a"],
    gradient: ["#e0b8f0", "#83509a", "#2a3038", "#3c8049", "#a0e6a8"],
  },
};

let theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";

function channels(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}

/** Paper and ink of a number, where `most` is the end of the scale. */
function colour(x, most, scale) {
  if (!Number.isFinite(x)) return { paper: "#000000", ink: "#ffffff" };
  const stops = SCALES[theme][scale];
  const linear = most > 0 ? Math.max(-1, Math.min(1, x / most)) : 0;
  const share = Math.sign(linear) * Math.abs(linear) ** 0.75; // small numbers show too
  const place = ((share + 1) / 2) * (stops.length - 1);
  const i = Math.min(Math.floor(place), stops.length - 2);
  const [low, high] = [channels(stops[i]), channels(stops[i + 1])];
  const mixed = low.map((c, k) => Math.round(c + (high[k] - c) * (place - i)));
  return { paper: `rgb(${mixed.join(" ")})`, ink: luminance(mixed) > 0.18 ? "#000000" : "#ffffff" };
}

function luminance(mixed) {
  const linear = mixed.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

/** A bar that explains a scale. */
function scaleBar(scale, label, most) {
  const bar = element("span", { className: "bar" });
  for (let k = -6; k <= 6; k++) {
    const part = element("span");
    part.style.background = colour(k, 6, scale).paper;
    bar.append(part);
  }
  const ends = most === null ? ["−", "+"] : [short(-most), short(most)];
  return element("span", { className: "scale" }, ...[label, ends[0], bar, ends[1]].map((part) => element("span", {}, part)));
}
