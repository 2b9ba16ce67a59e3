"""The rules of the queue: places, fairness, rates, groups, as functions of numbers and times."""
