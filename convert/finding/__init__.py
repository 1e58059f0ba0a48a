"""``quantize --task finder``: a trained finder's net becomes an int8 device file, judged on annotated fields."""
