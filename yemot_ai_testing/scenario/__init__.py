"""Phone calls written down: the model of ``*.call.yaml``, its loader, its runner and its report."""
