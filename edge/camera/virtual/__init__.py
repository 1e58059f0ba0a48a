"""The virtual microscope: a slide without end, a stage, a focus, a lamp and a person's hand behind a ``CameraDriver``.

What is on the slide is drawn by ``edge.virtual_slide``. Here it becomes a place to move over (``world``), seen through a lens and a
sensor (``optics``, ``light``), by a stage and a focus that take their time (``motion``), which a hand may turn (``hand``).
"""
