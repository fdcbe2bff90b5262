//! A backoff as configuration writes it: the schedule's name with its delay, and what else there is.

use std::time::Duration;

use dayfly_signal::setting::{HumanDuration, Table, obeyed};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Backoff, Jitter, Schedule, rules};

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    #[serde(skip_serializing_if = "Option::is_none")]
    constant: Option<HumanDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linear: Option<HumanDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exponential: Option<HumanDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<Vec<HumanDuration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cap: Option<HumanDuration>,
    jitter: Jitter,
}

impl Serialize for Backoff {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let mut form = Form { cap: Some(HumanDuration(self.cap)), jitter: self.jitter, ..Form::default() };
        match &self.schedule {
            Schedule::Constant(delay) => form.constant = Some(HumanDuration(*delay)),
            Schedule::Linear(step) => form.linear = Some(HumanDuration(*step)),
            Schedule::Exponential { first, factor } => {
                form.exponential = Some(HumanDuration(*first));
                form.factor = Some(*factor);
            }
            Schedule::Listed { delays, count } => {
                form.listed = Some(delays[..*count].iter().copied().map(HumanDuration).collect());
            }
        }
        form.serialize(output)
    }
}

impl<'de> Deserialize<'de> for Backoff {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let Table(form) = Table::<Form>::deserialize(input)?;
        let mut backoff = scheduled(&form)?;
        if let Some(times) = form.factor {
            if !matches!(backoff.schedule, Schedule::Exponential { .. }) {
                return Err(D::Error::custom("a factor belongs to an exponential backoff"));
            }
            backoff = backoff.factor(obeyed(rules::factor(times), times)?);
        }
        if let Some(HumanDuration(longest)) = form.cap {
            backoff = backoff.cap(longest);
        }
        Ok(backoff.jitter(form.jitter))
    }
}

fn scheduled<E: Error>(form: &Form) -> Result<Backoff, E> {
    match (form.constant, form.linear, form.exponential, &form.listed) {
        (Some(delay), None, None, None) => Ok(Backoff::constant(delay.0)),
        (None, Some(step), None, None) => Ok(Backoff::linear(step.0)),
        (None, None, Some(first), None) => Ok(Backoff::exponential(first.0)),
        (None, None, None, Some(listed)) => {
            let delays: Vec<Duration> = listed.iter().map(|delay| delay.0).collect();
            obeyed(rules::listed(&delays), delays.len()).map(Backoff::listed)
        }
        _ => Err(E::custom("a backoff is exactly one of constant, linear, exponential and listed")),
    }
}
