//! Histories of many clients, with and without lost answers.

use crate::case::Broken;
use crate::history::{HistoryOptions, examine_histories};
use crate::subject::Subject;

pub(crate) async fn concurrent_histories_are_linearizable(subject: &Subject) -> Result<(), Broken> {
    let quick = HistoryOptions::new().histories(4).operations(400).lost_answers(0);
    examine_histories(&subject.store().await?, &quick).await.map(drop)
}

pub(crate) async fn histories_with_lost_answers_are_linearizable(subject: &Subject) -> Result<(), Broken> {
    let quick = HistoryOptions::new().histories(4).operations(400);
    examine_histories(&subject.store().await?, &quick).await.map(drop)
}
