//! x
use super::Pool;
use crate::sim::replica::Replica;
impl Pool {
    pub(crate) fn bring_in(&mut self, i: usize) {
        self.gone[i] = 0;
        self.occupancy.enter(i as u32, 0);
        self.gauges.in_service.up(self.clock);
        self.gauges.compare_busy(self.clock);
        self.start_waiting();
    }
    pub(crate) fn drain(&mut self, i: usize) {
        self.occupancy.leave(i as u32, self.replicas[i].len());
        if self.replicas[i].is_idle() {
            self.gone[i] = 2;
            self.gauges.in_service.down(self.clock);
            self.gauges.compare_busy(self.clock);
        } else {
            self.gone[i] = 1;
        }
    }
    pub(crate) fn is_out(&self, i: usize) -> bool {
        self.gone[i] == 2
    }
    pub(crate) fn is_idle(&self, i: usize) -> bool {
        self.replicas[i].is_idle()
    }
    pub(crate) fn deliver_out(&mut self, n: u32) {
        for _ in 0..n {
            let replica = self.replicas.len();
            self.replicas.push(Replica::default());
            self.changes.grow(replica + 1);
            self.occupancy.grow(replica + 1);
            self.gone.push(2);
        }
        self.rate_again();
    }
}
