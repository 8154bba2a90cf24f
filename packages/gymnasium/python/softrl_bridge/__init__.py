"""Steps vectors of Gymnasium environments on request, with length-prefixed frames on stdin and stdout."""
