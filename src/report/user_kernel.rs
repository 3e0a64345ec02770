//! What a user's own kernel took, for people and for programs.

use crate::gpu::user_kernel::UserTiming;
use crate::profile::measured::Clock;
use crate::report::grid::{Align, Grid};
use crate::report::number::{grouped, measured_interval_s, measured_s, percent, rate};
use crate::report::paint::{Ink, Style};
use crate::report::{escape, json};

/// The timing on a terminal, ending with a line feed.
#[must_use]
pub fn user_timing_table(timing: &UserTiming, style: Style) -> String {
    let mut text = String::new();
    if timing.software {
        let alarm =
            "SOFTWARE ADAPTER: a processor played the GPU; nothing here says what a GPU does";
        text += &format!("{}\n", style.paint(Ink::Bad, alarm));
    }
    let clock = match timing.clock {
        Clock::Timestamps => "the device's clock",
        Clock::Wall => "the host's clock, submission included",
    };
    let title = format!(
        "{} on {}",
        escape::name(&timing.kernel),
        escape::name(&timing.device)
    );
    let setting = format!(
        "driver {}; {clock}; checks of bounds and loops on",
        escape::name(&timing.driver)
    );
    text += &format!(
        "{}\n{}\n",
        style.paint(Ink::Strong, &title),
        style.paint(Ink::Faint, &setting)
    );
    text += &format!(
        "\n{}\n{}",
        style.paint(Ink::Strong, "One dispatch"),
        numbers(timing).text(style)
    );
    text += &format!(
        "\n{}\n{}",
        style.paint(Ink::Strong, "Its buffers"),
        bindings(timing).text(style)
    );
    if !timing.doubts.is_empty() {
        text += &format!("\n{}\n", style.paint(Ink::Strong, "What may be doubted"));
    }
    for doubt in &timing.doubts {
        text += &format!("  {}\n", escape::text(doubt));
    }
    text
}

/// The timing as JSON, ending with a line feed.
#[must_use]
pub fn user_timing_json(timing: &UserTiming) -> String {
    json::to_text(timing)
}

fn numbers(timing: &UserTiming) -> Grid {
    let time = &timing.dispatch_s;
    let [x, y, z] = timing.workgroup_size;
    let mut grid = Grid::new(&[("", Align::Left), ("", Align::Left)]);
    let mut row = |name: &str, text: String| grid.row([name.to_owned(), text], None);
    row("median", measured_s(time.median));
    let interval = measured_interval_s(time.low, time.high);
    row(
        "interval",
        format!("{interval} ({} confidence)", percent(time.confidence)),
    );
    row(
        "spread",
        format!("{} of {} samples", percent(time.spread), time.samples.len()),
    );
    row(
        "workgroups",
        format!(
            "{} of {} invocations ({x} x {y} x {z})",
            grouped(u64::from(timing.workgroups)),
            grouped(
                timing
                    .workgroup_size
                    .iter()
                    .map(|&n| u64::from(n))
                    .product()
            )
        ),
    );
    row("elements", grouped(u64::from(timing.elements)));
    row("bytes of all buffers", rate(timing.bytes, "B"));
    row("which is", rate(timing.bytes_per_s, "B/s"));
    grid
}

fn bindings(timing: &UserTiming) -> Grid {
    let mut grid = Grid::new(&[
        ("binding", Align::Right),
        ("name", Align::Left),
        ("used as", Align::Left),
        ("bytes", Align::Right),
    ]);
    for binding in &timing.bindings {
        let cells = [
            binding.binding.to_string(),
            escape::name(&binding.name),
            binding.role.name().to_owned(),
            grouped(binding.bytes),
        ];
        grid.row(cells, None);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::user_kernel::{BindingReport, Role};
    use crate::profile::measured::Rate;

    fn timing() -> UserTiming {
        UserTiming {
            device: "llvmpipe".to_owned(),
            driver: "Mesa\u{1b}[2J".to_owned(),
            software: true,
            clock: Clock::Timestamps,
            kernel: "saxpy.wgsl".to_owned(),
            elements: 4_194_240,
            workgroup_size: [64, 1, 1],
            workgroups_wanted: 65_535,
            workgroups: 65_535,
            dispatch_s: Rate::of(vec![0.004; 6]).expect("positive samples"),
            bytes: 32e6,
            bytes_per_s: 8e9,
            bindings: vec![BindingReport {
                binding: 0,
                name: "x".to_owned(),
                role: Role::Input,
                bytes: 16_000_000,
            }],
            doubts: vec!["`y`: nothing but zeros".to_owned()],
        }
    }

    #[test]
    fn the_table_tells_time_rate_buffers_and_doubts() {
        let style = Style {
            colour: false,
            width: 100,
        };
        let text = user_timing_table(&timing(), style);
        assert!(text.starts_with("SOFTWARE ADAPTER: "), "{text}");
        for part in [
            "saxpy.wgsl on llvmpipe",
            "4 ms",
            "8 GB/s",
            "65 535 of 64 invocations",
            "16 000 000",
            "nothing but zeros",
        ] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        assert!(!text.contains('\u{1b}'));
        let json: serde_json::Value = serde_json::from_str(&user_timing_json(&timing())).unwrap();
        assert_eq!(json["bytes_per_s"], 8e9);
        assert_eq!(json["bindings"][0]["role"], "input");
    }
}
