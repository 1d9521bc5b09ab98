//! What the command line takes and what it does not.

use clap::{CommandFactory as _, Parser as _};

use super::{AdminAddress, Cli, Command, EventsCommand, SagaCommand};

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_command_line_contradicts_itself_nowhere() {
    Cli::command().debug_assert();
}

#[test]
fn the_admin_api_is_on_a_free_port_of_the_machine_unless_told_otherwise() {
    let admin = |line: &str| match parse(line).unwrap().command {
        Command::Up(up) => up.admin,
        other => panic!("{other:?}"),
    };
    let at = |address: &str| AdminAddress::At(address.parse().unwrap());
    assert_eq!(admin("skald up"), at("127.0.0.1:0"));
    assert_eq!(admin("skald up --admin [::1]:9"), at("[::1]:9"));
    assert_eq!(admin("skald up --admin off"), AdminAddress::Off);
    assert!(parse("skald up --admin localhost").is_err());
}

#[test]
fn options_of_the_host_may_stand_before_and_after_the_command() {
    for line in [
        "skald saga --data-dir d -f app ls",
        "skald saga ls --data-dir d -f app",
    ] {
        let Command::Saga(saga) = parse(line).unwrap().command else {
            panic!("{line}");
        };
        assert_eq!(saga.place.data_dir.as_deref(), Some("d".as_ref()), "{line}");
        assert_eq!(saga.manifest().from.as_os_str(), "app");
    }
}

#[test]
fn what_changes_a_run_for_good_needs_a_reason() {
    for verb in ["skip", "fail", "rollback"] {
        assert!(parse(&format!("skald saga {verb} 3f2a")).is_err(), "{verb}");
        assert!(
            parse(&format!("skald saga {verb} 3f2a 77 --why x")).is_ok(),
            "{verb}"
        );
    }
    for verb in ["retry", "resume", "cancel"] {
        assert!(parse(&format!("skald saga {verb} 3f2a")).is_ok(), "{verb}");
    }
}

#[test]
fn nothing_is_purged_or_upgraded_without_saying_which() {
    for (line, is_clear) in [
        ("skald saga purge", false),
        ("skald saga purge 3f2a", true),
        ("skald saga purge 3f2a --older-than 7d", false),
        (
            "skald saga purge --older-than 7d --standing completed,failed",
            true,
        ),
        ("skald saga purge --standing lost", false),
        ("skald saga purge --older-than week", false),
        ("skald saga purge --older-than 7dd", false),
        ("skald saga upgrade", false),
        ("skald saga upgrade --all --dry-run", true),
        ("skald saga upgrade 3f2a --all", false),
        ("skald saga upgrade 3f2a --component checkout", false),
    ] {
        assert_eq!(parse(line).is_ok(), is_clear, "{line}");
    }
}

#[test]
fn colours_can_be_refused_with_and_without_a_value() {
    for line in [
        "skald saga show --no-color 3f2a",
        "skald saga show --no-color=1 3f2a",
    ] {
        let Command::Saga(saga) = parse(line).unwrap().command else {
            panic!("{line}");
        };
        assert_eq!(saga.place.no_color.as_deref(), Some("1".as_ref()));
        assert!(matches!(saga.command, SagaCommand::Show(one) if one.run == "3f2a"));
    }
}

#[test]
fn events_are_asked_of_the_same_host_as_sagas() {
    for line in [
        "skald events --data-dir d -f app tail",
        "skald events tail --data-dir d -f app",
    ] {
        let Command::Events(events) = parse(line).unwrap().command else {
            panic!("{line}");
        };
        let place = &events.place;
        assert_eq!(place.data_dir.as_deref(), Some("d".as_ref()), "{line}");
        assert_eq!(place.manifest().from.as_os_str(), "app");
        assert!(matches!(events.command, EventsCommand::Tail(tail) if tail.last == 10));
    }
    assert!(parse("skald nodes --data-dir d --json").is_ok());
}

#[test]
fn what_is_done_to_events_is_said_clearly() {
    for (line, is_clear) in [
        ("skald events dlq drop", false),
        ("skald events dlq drop cart/log/1 cart/log/2", true),
        ("skald events dlq drop --subscriber cart --yes", true),
        ("skald events dlq drop cart/log/1 --subscriber cart", false),
        ("skald events dlq redrive", false),
        ("skald events dlq redrive cart/log/1", true),
        ("skald events dlq redrive cart/log/1 --limit 3", false),
        ("skald events dlq redrive --subscriber cart --limit 3", true),
        ("skald events replay --to cart", false),
        ("skald events replay --from beginning", false),
        (
            "skald events replay --to cart --from beginning --dry-run",
            true,
        ),
        (
            "skald events replay --to cart --from 2h --dry-run --yes",
            false,
        ),
        ("skald events tail --since 10m --last 3", false),
        ("skald events tail --since 10m --follow --json", true),
        ("skald events lag --partitions --json", false),
        ("skald events publish", false),
        ("skald events publish a --plain --subject x", false),
        ("skald events publish a", true),
    ] {
        assert_eq!(parse(line).is_ok(), is_clear, "{line}");
    }
}
