"""Tables, figures and the report: what a study says to someone who was not there."""
