//! Tickets: each lets one person in once.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shardwise::Uuid;

use super::Tx;
use super::error::ApiError;
use super::extract::{AtFestival, Id};
use super::idempotency::{Command, Keyed, Stop, once};
use super::validate;
use crate::model::{Ticket, TicketState, now};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueTicket {
    user_id: Uuid,
}

/// `POST /festivals/{slug}/tickets`
pub(super) async fn issue(at: AtFestival, Keyed { key, body }: Keyed<IssueTicket>) -> Result<Response, ApiError> {
    once(&at, &key, &body).await
}

impl Command for IssueTicket {
    type Output = Ticket;
    const STATUS: StatusCode = StatusCode::CREATED;

    async fn run(&self, festival_id: Uuid, tx: &Tx) -> Result<Ticket, Stop> {
        let ticket = Ticket {
            festival_id,
            // Not in the order of time: nobody shall guess the next ticket's bar code.
            id: Uuid::new_v4(),
            user_id: self.user_id,
            state: TicketState::Issued,
            created_at: now(),
            scanned_at: None,
            gate: None,
        };
        match tx.insert(&ticket).await {
            Err(error) if error.is_foreign_key_violation() => Err(Stop::Failed(ApiError::unknown("user_id", "user"))),
            inserted => {
                inserted?;
                Ok(ticket)
            }
        }
    }
}

/// `GET /festivals/{slug}/tickets/{id}`
pub(super) async fn show(at: AtFestival, Id(id): Id) -> Result<Response, ApiError> {
    let ticket = at.tenant.find::<Ticket>(id).await?.ok_or_else(|| ApiError::not_found("ticket"))?;
    Ok(axum::Json(ticket).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AtGate {
    gate: String,
}

/// `POST /festivals/{slug}/tickets/{id}/scan`
pub(super) async fn scan(
    at: AtFestival,
    Id(ticket_id): Id,
    Keyed { key, body }: Keyed<AtGate>,
) -> Result<Response, ApiError> {
    once(&at, &key, &Scan { ticket_id, gate: validate::text("gate", &body.gate, 40)? }).await
}

struct Scan {
    ticket_id: Uuid,
    gate: String,
}

impl Command for Scan {
    type Output = Ticket;
    const STATUS: StatusCode = StatusCode::OK;

    async fn run(&self, _: Uuid, tx: &Tx) -> Result<Ticket, Stop> {
        let scanned = tx
            .update_columns::<Ticket>(self.ticket_id)
            .set(Ticket::STATE, TicketState::Scanned)
            .set(Ticket::SCANNED_AT, Some(now()))
            .set(Ticket::GATE, Some(self.gate.clone()))
            .only_if(Ticket::STATE.eq(TicketState::Issued))
            .returning()
            .await?;
        if let Some(ticket) = scanned {
            return Ok(ticket);
        }
        Err(Stop::Refused(match tx.find::<Ticket>(self.ticket_id).await? {
            Some(ticket) => ApiError::conflict("already_scanned", "someone came in with this ticket before")
                .with("scanned_at", ticket.scanned_at)
                .with("gate", ticket.gate),
            None => ApiError::not_found("ticket"),
        }))
    }
}
