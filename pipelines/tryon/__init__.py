"""Try-on pipelines."""
