"""Networks that analyse a picture and say what is in it."""
