"""The desk of the ERP: what it is to be told, how the telling goes, what a person has to mend."""
