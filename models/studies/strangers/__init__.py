"""Strangers' nets: the kinds that people bring, made, trained, converted with default options and judged, in one table."""
