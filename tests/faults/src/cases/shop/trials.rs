//! Trials of orders: some from everything that can meet, and the rest by chance.

use skald_core::saga::Verb;

use super::trial::{CANCEL, Deed, RETURN, Trial};
use crate::{
    Failure,
    cases::{Calm, Options, chance, pairs},
    dice::Dice,
    ledger::{Fault, Plan},
    services::call::FUNCTIONS,
    shop,
    world::SAGA,
};

/// A wish to cancel at every place of a checkout; beside it another verb, the parcel, a death, or slow services.
pub(in crate::cases) fn races(options: &Options) -> Result<(), Failure> {
    let few = shop::few();
    let Some(shape) = few.into_iter().next() else {
        return Err(Failure::new("there is no checkout"));
    };
    let calm = Calm::of(shape)?;
    let besides = [
        None,
        Some(Deed::Leave),
        Some(Deed::Act(SAGA, Verb::Cancel)),
        Some(Deed::Act(CANCEL, Verb::Cancel)),
    ];
    let gaps = [3, 10, 25, 50];
    let all = pairs(calm.places(), pairs(besides, pairs(gaps, 0..3_u64)));
    for (place, (beside, (gap, kind))) in options.some(97, all) {
        for order in shop::placed("tok_ok", "NO") {
            let mut trial = Trial::new(order);
            trial.deeds.push((place, Deed::Cancel));
            trial
                .deeds
                .extend(beside.clone().map(|deed| (place + gap, deed)));
            match kind {
                0 => trial.deaths.push(place + gap + 4),
                1 => trial.times = Some(place),
                _ => {}
            }
            played(options, trial)?;
        }
    }
    Ok(())
}

/// Chance, so often.
pub(in crate::cases) fn chance(options: &Options) -> Result<(), Failure> {
    let trials = if options.is_quick { 150 } else { 30_000 };
    for number in 0..trials {
        let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(number);
        if let Some(trial) = drawn(&mut Dice::new(seed)) {
            played(options, trial)?;
        }
    }
    Ok(())
}

fn played(options: &Options, trial: Trial) -> Result<(), Failure> {
    options.play(String::new, || {
        let Err(failure) = trial.play() else {
            return Ok(());
        };
        let failed = (trial, failure);
        let (trial, failure) = chance::smallest(failed, Trial::smaller, Trial::play);
        Err(failure.note(format!("{trial:#?}")))
    })
}

fn drawn(dice: &mut Dice) -> Option<Trial> {
    let tokens = ["tok_ok", "tok_ok", "tok_ok", "tok_flaky", "tok_declined"];
    let token = dice.pick(tokens, "tok_ok");
    let country = if dice.one_in(8) { "XX" } else { "NO" };
    let order = shop::placed(token, country).pop()?;
    let mut trial = Trial::new(order);
    trial.others = if dice.one_in(10) { 9 } else { 0 };
    trial.plan = plan(dice);
    trial.deaths = chance::some(dice, |dice| 1 + dice.below(200));
    let deeds = dice.below(5);
    trial.deeds = (0..deeds)
        .map(|_| (1 + dice.below(200), deed(dice)))
        .collect();
    trial.deeds.sort_by_key(|(place, _)| *place);
    trial.troubles = chance::some(dice, |dice| (1 + dice.below(40), chance::trouble(dice)));
    trial.times = dice.one_in(2).then(|| dice.bits());
    trial.is_small = dice.one_in(5);
    Some(trial)
}

fn deed(dice: &mut Dice) -> Deed {
    let component = dice.pick([SAGA, CANCEL, RETURN], SAGA);
    match dice.below(9) {
        0..=2 => Deed::Cancel,
        3 => Deed::SendBack(true),
        4 => Deed::SendBack(false),
        5 => Deed::Leave,
        6 => Deed::Act(component, Verb::Rollback),
        7 => Deed::Act(component, Verb::Retry),
        _ => Deed::Act(component, Verb::Cancel),
    }
}

/// Only what can be refused is.
fn plan(dice: &mut Dice) -> Plan {
    let mut plan = Plan::default();
    if dice.one_in(3) {
        let steps = shop::numbers_of_checkout();
        plan.refuse(dice.pick(steps, 1));
    }
    for step in 1..=u32::try_from(FUNCTIONS.len()).unwrap_or(u32::MAX) {
        for is_undo in [false, true] {
            if !dice.one_in(8) {
                continue;
            }
            let fault = fault(dice);
            if dice.one_in(8) {
                plan.always(step, is_undo, fault);
            } else if is_undo {
                plan.undo(step, [fault]);
            } else {
                plan.forward(step, [fault]);
            }
        }
    }
    plan
}

fn fault(dice: &mut Dice) -> Fault {
    match dice.below(7) {
        0 => Fault::Before,
        1 => Fault::Halfway,
        2 => Fault::After,
        3 => Fault::Hang,
        4 => Fault::Trap,
        5 => Fault::Double,
        _ => Fault::Slow(dice.below(8_000)),
    }
}
