"""Tables in and out, in our own form and in the shops'."""
