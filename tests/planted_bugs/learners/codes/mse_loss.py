import numpy as np


def mse_forward(pred, target):
    diff = pred - target
    return np.mean(diff**2), diff


def mse_backward(dloss, diff):
    dpred = dloss * 2 * diff / diff.size
    dtarget = -dpred
    return dpred, dtarget
