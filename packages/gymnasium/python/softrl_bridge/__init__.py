"""Vectors of Gymnasium environments behind length-prefixed frames on stdin and stdout."""
