"""What a fence would have told, over a file or over a gateway's history."""
