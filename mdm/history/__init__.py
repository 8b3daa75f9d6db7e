"""Questions to what the hub knows and knew: `hot_reads` for the present moment, `service` for the past."""
