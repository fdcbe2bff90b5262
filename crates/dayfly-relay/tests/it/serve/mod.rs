//! What the service promises, over real HTTP on loopback.

mod backlog;
mod delivery;
mod dropping;
mod endings;
mod intake;
mod kill;
mod receiver;
mod reload;
mod rude_clients;
mod rude_receivers;
mod security;
mod send;
mod stage;
mod telemetry;
