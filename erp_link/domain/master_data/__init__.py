"""Master data as people write it, and as it should be: pure checks that propose and never mend."""
