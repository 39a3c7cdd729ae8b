"""The update agent of a box: a process beside the station, which only hands it whole sets."""
