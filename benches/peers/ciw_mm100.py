"""M/M/100 at a load of 0.9 in Ciw: `ciw_mm100.py CUSTOMERS SEED`."""

import json
import sys
import time

import ciw

SERVERS = 100
ARRIVALS_PER_S = 90.0

if __name__ == "__main__":
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    wall, cpu = time.perf_counter(), time.process_time()
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(ARRIVALS_PER_S)],
        service_distributions=[ciw.dists.Exponential(1.0)],
        number_of_servers=[SERVERS],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(count, method="Finish")
    seconds, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    # Reading the records is left out of the time.
    waits_s = [record.waiting_time for record in simulation.get_all_records()]
    wait_s = sum(waits_s) / len(waits_s)
    print(json.dumps({"count": count, "seconds": seconds, "cpu_s": cpu_s, "wait_s": wait_s}))
