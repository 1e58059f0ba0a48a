"""Does what follows from a review keep its promises: simulated slides, machines and readers who err."""
