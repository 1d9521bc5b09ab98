//! A saga that does what its event says: whatever sagas can do, in any order.
#![cfg(target_family = "wasm")]

#[expect(unreachable_pub, reason = "it is public on the other side")]
#[path = "../../../src/soak/program.rs"]
mod program;

use sdk::events::HandlerError;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/saga", "wit/counters", "wit/companions/counters", "wit/soak"],
        world: "soak:saga/soak",
        generate_all,
    });
}

use self::program::{Act, DRAWN, Effect, Ending, LOOKED, Program};
use bindings::{
    skald::saga::{
        flow::{self, WaitError},
        steps,
        undo::Scope,
    },
    soak::{
        counters::api::{self, Addition},
        counters_saga::{api_start as start, api_undo as undo},
    },
};

/// How long a signal is waited for that certainly comes: long enough that the host is restarted meanwhile.
const CERTAINLY: u64 = 3_600_000;

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    #[spin_sdk::redis_subscriber]
    async fn hear(message: Vec<u8>) -> Result<(), sdk::events::HandlerError> {
        crate::hear(&message)
    }
}

fn hear(message: &[u8]) -> Result<(), HandlerError> {
    let event = sdk::events::parse::<Program>(message)?;
    let run = flow::info().key;
    Player { run }
        .all(&event.data.acts, None)
        .map_err(HandlerError::Refused)
}

/// Carries out a program. Whatever is not as it has to be ends the run with an error, which the driver does not expect.
struct Player {
    run: String,
}

impl Player {
    fn all(&self, acts: &[Act], scope: Option<&Scope>) -> Result<(), String> {
        acts.iter().try_for_each(|act| self.one(act, scope))
    }

    fn one(&self, act: &Act, scope: Option<&Scope>) -> Result<(), String> {
        match act {
            Act::Say(text) => flow::status(text),
            Act::Add(effect) => self.add(effect, effect.amount, scope)?,
            Act::Refused(effect) => match api::add(&self.addition(effect, 0)) {
                Err(api::Error::Refused(_)) => {}
                Ok(value) => return Err(format!("nothing was added to {value}")),
            },
            Act::Fan(effects, timer) => self.fan(effects, *timer, scope)?,
            Act::Stray(effect) => {
                self.register(effect, scope);
                start::add(&self.addition(effect, effect.amount));
            }
            Act::Sleep(milliseconds) => flow::sleep(*milliseconds),
            Act::Wait(signal, effect) => self.wait(signal, effect, scope)?,
            Act::Miss(signal, milliseconds) => match flow::wait(signal, Some(*milliseconds)) {
                Err(WaitError::TimedOut) => {}
                other => return Err(format!("signal {signal}: {other:?}")),
            },
            Act::Look(key, effect) => {
                let amount = api::look(*key) % LOOKED + 1;
                self.add(effect, amount, scope)?;
            }
            Act::Chance(effect) => {
                let drawn = wasip2::random::random::get_random_u64() % u64::from(DRAWN);
                let amount = u32::try_from(drawn).unwrap_or_default() + 1;
                self.add(effect, amount, scope)?;
            }
            Act::Vain(tag) => {
                if let Some(scope) = scope {
                    undo::take_back(scope, &self.run, *tag, 0);
                }
            }
            Act::Scope(acts, ending) => self.scope(acts, *ending)?,
            Act::Fail(why) => return Err(why.clone()),
        }
        Ok(())
    }

    fn wait(&self, signal: &str, effect: &Effect, scope: Option<&Scope>) -> Result<(), String> {
        let payload = flow::wait(signal, Some(CERTAINLY))
            .map_err(|error| format!("signal {signal}: {error:?}"))?;
        let text = String::from_utf8_lossy(&payload);
        let amount = text.parse().map_err(|_| format!("{signal} said {text}"))?;
        self.add(effect, amount, scope)
    }

    fn scope(&self, acts: &[Act], ending: Ending) -> Result<(), String> {
        let scope = Scope::new("inner");
        self.all(acts, Some(&scope))?;
        match ending {
            Ending::Commit => scope.commit(),
            Ending::Rollback => scope
                .rollback("as it was meant")
                .map_err(|skipped| format!("{skipped} entries were skipped"))?,
            Ending::Leave => {}
        }
        Ok(())
    }

    fn add(&self, effect: &Effect, amount: u32, scope: Option<&Scope>) -> Result<(), String> {
        self.register(effect, scope);
        match api::add(&self.addition(effect, amount)) {
            Ok(_) => Ok(()),
            Err(api::Error::Refused(why)) => Err(why),
        }
    }

    fn fan(
        &self,
        effects: &[Effect],
        timer: Option<u64>,
        scope: Option<&Scope>,
    ) -> Result<(), String> {
        let timer = timer.map(steps::timer);
        let mut out: Vec<u32> = timer.into_iter().collect();
        for effect in effects {
            self.register(effect, scope);
            out.push(start::add(&self.addition(effect, effect.amount)));
        }
        while !out.is_empty() {
            let ended = steps::join(&out);
            out.retain(|ticket| *ticket != ended);
            if timer != Some(ended)
                && let Err(api::Error::Refused(why)) = start::add_result(ended)
            {
                return Err(why);
            }
        }
        Ok(())
    }

    fn register(&self, effect: &Effect, scope: Option<&Scope>) {
        if let Some(scope) = scope {
            undo::take_back(scope, &self.run, effect.tag, effect.risk);
        }
    }

    fn addition(&self, effect: &Effect, amount: u32) -> Addition {
        Addition {
            run: self.run.clone(),
            tag: effect.tag,
            key: effect.key,
            amount,
            risk: effect.risk,
        }
    }
}
