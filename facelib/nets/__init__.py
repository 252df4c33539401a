"""Networks: where their weights come from, and the one place that runs them."""
