"""The workshop: trained Keras models become int8 TFLite files with a card. TensorFlow is imported lazily, and here only."""
