"""How a classifier is judged; the measures themselves are shared with the workshop."""

from convert.metrics import accuracy, auc, by_group, sensitivity_at

__all__ = ["accuracy", "auc", "by_group", "sensitivity_at"]
