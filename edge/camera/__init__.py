"""The camera in a process of its own: drivers, protocol, watchdog, and the virtual microscope with its faults."""
