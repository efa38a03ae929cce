"""Who answers, scripted: the doubles that stand in for a model, a model service or a program."""
