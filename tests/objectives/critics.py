"""Critics and the bounds from their scores, by loops over rows."""

import math

import torch


def naive_critic(critic, a, b):
    """Return the score of two rows: a network of their concatenation."""
    weight = torch.cat([critic.first.weight, critic.second.weight], dim=1)
    hidden = (weight @ torch.cat([a, b]) + critic.first.bias).clamp(min=0)
    return critic.layers(hidden)[0]


def naive_nce(critic, a, b):
    """Return the lower bound."""
    total = 0.0
    for i in range(len(a)):
        scores = [math.exp(naive_critic(critic, row, b[i])) for row in a]
        positive = float(naive_critic(critic, a[i], b[i]))
        total += positive - (math.log(sum(scores)) - math.log(len(a)))
    return total / len(a)


def naive_club(critic, a, b):
    """Return the upper bound."""
    n_rows = len(a)
    own = sum(float(naive_critic(critic, a[i], b[i])) for i in range(n_rows))
    everyone = sum(float(naive_critic(critic, p, q)) for p in a for q in b)
    return own / n_rows - everyone / n_rows**2
