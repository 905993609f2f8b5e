//! A connection or a pool, whichever the user has: what scripts and cursors run on.

use std::task::{Context, Poll};

use crate::call::Executor;
use crate::command::Command;
use crate::connection::{self, Connection};
use crate::encoder::Encoder;
use crate::error::Result;
use crate::pool::{self, Pool};
use crate::reply::ReplyKind;

#[derive(Debug, Clone)]
pub(crate) enum AnyClient<E: Encoder> {
    Connection(Connection<E>),
    Pool(Pool<E>),
}

#[derive(Debug, Default)]
pub(crate) enum Ticket {
    #[default]
    New,
    Connection(connection::Ticket),
    Pool(pool::Ticket),
}

impl<E: Encoder> Executor for AnyClient<E> {
    type Encoder = E;
    type Output<T> = T;
    type Ticket = Ticket;

    fn encoder(&self) -> E {
        match self {
            Self::Connection(connection) => connection.encoder(),
            Self::Pool(pool) => pool.encoder(),
        }
    }

    fn poll_call<R: ReplyKind<E>>(
        &self,
        command: &mut Command<'_>,
        ticket: &mut Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<R::Value>> {
        if matches!(ticket, Ticket::New) {
            *ticket = match self {
                Self::Connection(_) => Ticket::Connection(connection::Ticket::default()),
                Self::Pool(_) => Ticket::Pool(pool::Ticket::default()),
            };
        }
        match (self, ticket) {
            (Self::Connection(connection), Ticket::Connection(ticket)) => {
                connection.poll_call::<R>(command, ticket, cx)
            }
            (Self::Pool(pool), Ticket::Pool(ticket)) => pool.poll_call::<R>(command, ticket, cx),
            // A ticket never changes hands.
            _ => Poll::Pending,
        }
    }

    fn cancel(&self, ticket: &mut Ticket) {
        match (self, ticket) {
            (Self::Connection(connection), Ticket::Connection(ticket)) => connection.cancel(ticket),
            (Self::Pool(pool), Ticket::Pool(ticket)) => pool.cancel(ticket),
            _ => {}
        }
    }
}
