"""Model files of unknown origin: ``source`` opens them, ``parse`` admits them by an allow-list, ``load`` builds them."""
