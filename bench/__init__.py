"""Measurements. Nothing in here is a test: no figure is asserted, every one is printed beside a floor."""
