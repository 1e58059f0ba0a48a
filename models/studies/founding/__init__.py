"""The founding nets: trained, converted, judged, in one table."""
