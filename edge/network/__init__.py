"""What a microscope says to others through an MQTT broker, and who collects it. paho-mqtt is imported late (docs/mqtt.md)."""
