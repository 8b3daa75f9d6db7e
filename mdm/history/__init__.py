"""Questions to what the hub knows: `hot_reads` answers for the present moment, thousands of times a minute."""
