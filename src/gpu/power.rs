//! What the platform tells about power and neighbours: NVIDIA's management library, looked for at
//! run time. Where there is none, that is said and nothing is guessed.

use nvml_wrapper::{Device as NvmlDevice, Nvml};

use super::Adapter;

/// The name under which a profile says who told.
pub const SOURCE: &str = "nvml";

/// A card that can be asked.
#[derive(Debug)]
pub struct Power {
    nvml: Nvml,
    index: u32,
}

impl Power {
    /// The card behind an adapter.
    ///
    /// # Errors
    /// In words, why nobody can tell: no library, no such card, no meter.
    pub fn of(adapter: &Adapter) -> Result<Self, String> {
        let nvml =
            Nvml::init().map_err(|error| format!("no NVIDIA management library: {error}"))?;
        let count = nvml.device_count().map_err(|error| error.to_string())?;
        let index = (0..count).find(|&index| is_it(&nvml, index, adapter));
        match index {
            Some(index) => Ok(Self { nvml, index }),
            None => Err(format!(
                "NVIDIA's management library does not know \"{}\"",
                adapter.name
            )),
        }
    }

    fn device(&self) -> Option<NvmlDevice<'_>> {
        self.nvml.device_by_index(self.index).ok()
    }

    /// Joules since the driver was loaded; `None` where the card has no meter.
    #[must_use]
    pub fn joules(&self) -> Option<f64> {
        let millijoules = self.device()?.total_energy_consumption().ok()?;
        Some(millijoules as f64 * 1e-3)
    }

    /// Memory of the card in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        Some(self.device()?.memory_info().ok()?.total)
    }

    /// Who else uses the card, in words; `None` where nobody does or it cannot be told.
    #[must_use]
    pub fn neighbours(&self) -> Option<String> {
        let device = self.device()?;
        let own = std::process::id();
        let processes = device.running_compute_processes().ok()?;
        let others = processes
            .iter()
            .filter(|process| process.pid != own)
            .count();
        let busy = device.utilization_rates().ok()?.gpu;
        match (others, busy) {
            (0, _) => None,
            (others, busy) => Some(format!(
                "{others} other compute processes, {busy} % busy before the start"
            )),
        }
    }
}

/// By its place on the bus where the driver tells, else by its name if that is the only one of it.
fn is_it(nvml: &Nvml, index: u32, adapter: &Adapter) -> bool {
    let Ok(device) = nvml.device_by_index(index) else {
        return false;
    };
    let place = |id: &str| {
        let id = id.to_lowercase();
        id.split_once(':')
            .map(|(domain, rest)| format!("{}:{rest}", domain.trim_start_matches('0')))
    };
    match (device.pci_info(), adapter.bus_id.is_empty()) {
        (Ok(pci), false) => place(&pci.bus_id) == place(&adapter.bus_id),
        _ => device.name().is_ok_and(|name| name == adapter.name),
    }
}
