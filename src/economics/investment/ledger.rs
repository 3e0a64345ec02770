//! Who has whose money: every payment leaves one account and enters another, in whole cents.

/// Who pays and is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// Who buys shares.
    Investors,
    /// Who uses the service.
    Users,
    /// Who runs the service.
    Lab,
    /// Who rents out the GPUs.
    Cloud,
    /// Who makes GPUs.
    Makers,
    /// All others: staff, builders, landlords.
    Others,
}

const ACCOUNTS: usize = 6;

/// Balances in cents; they always add up to nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    cents: [i128; ACCOUNTS],
}

impl Ledger {
    /// Moves an amount rounded to cents, and gives it back as moved.
    pub(super) fn pay(&mut self, from: Account, to: Account, usd: f64) -> f64 {
        let cents = (usd * 100.0).round() as i128;
        self.cents[from as usize] -= cents;
        self.cents[to as usize] += cents;
        cents as f64 / 100.0
    }

    /// The balance in USD.
    pub(super) fn balance_usd(&self, account: Account) -> f64 {
        self.cents[account as usize] as f64 / 100.0
    }

    /// All balances together, in cents.
    pub(super) fn sum_cents(&self) -> i128 {
        self.cents.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_pays_another_gets() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.pay(Account::Lab, Account::Cloud, 10.004), 10.0);
        ledger.pay(Account::Cloud, Account::Makers, 3.0);
        assert_eq!(ledger.balance_usd(Account::Lab), -10.0);
        assert_eq!(ledger.balance_usd(Account::Cloud), 7.0);
        assert_eq!(ledger.sum_cents(), 0);
    }
}
