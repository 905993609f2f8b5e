//! Where pipelines, transactions and subscriptions get their connection from.

use crate::batch::Batch;
use crate::command::Command;
use crate::commands::spec;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::{Pool, PoolLease};
use crate::resp::Frame;

/// A connection or pool, its encoder set aside.
#[derive(Debug)]
pub(crate) enum Source {
    Connection(Connection),
    Pool(Pool),
    Leased(Lease),
}

impl Source {
    /// Sends a batch in one piece. What came of its replies, and the error if some are missing.
    pub(crate) async fn run(&self, batch: &Batch) -> Result<(Vec<Frame>, Option<crate::Error>)> {
        match self {
            Self::Connection(connection) => connection.run(batch).await,
            Self::Pool(pool) => pool.run(batch).await,
            Self::Leased(lease) => lease.connection().run(batch).await,
        }
    }

    /// A connection for one caller alone.
    pub(crate) async fn lease(&self) -> Result<Lease> {
        match self {
            Self::Connection(connection) => {
                let own = connection.sibling().await?;
                own.pin(true);
                Ok(Lease {
                    place: Place::Own(own),
                    watching: false,
                })
            }
            Self::Pool(pool) => Ok(Lease {
                place: Place::Pool(pool.lease().await?),
                watching: false,
            }),
            Self::Leased(lease) => {
                Box::pin(Self::Connection(lease.connection().clone()).lease()).await
            }
        }
    }

    /// A connection for one caller alone, which watches keys.
    pub(crate) async fn watch(&self, command: &Command<'_>) -> Result<Lease> {
        let mut attempts = 0;
        loop {
            let mut lease = self.lease().await?;
            match (lease.watch(command).await, self) {
                (Ok(()), _) => return Ok(lease),
                (Err(error), Self::Pool(pool)) if pool.another_may_do(&error, &mut attempts) => {}
                (Err(error), _) => return Err(error),
            }
        }
    }

    pub(crate) fn is_leased(&self) -> bool {
        matches!(self, Self::Leased(_))
    }

    /// UNWATCH, where keys are watched.
    pub(crate) async fn unwatch(&self) -> Result<()> {
        match self {
            Self::Leased(lease) if lease.watching => {
                lease.run_once(&Command::new(&spec::UNWATCH)).await
            }
            _ => Ok(()),
        }
    }

    /// EXEC has ended the watch.
    pub(crate) fn forget_watched(&mut self) {
        if let Self::Leased(lease) = self {
            lease.watching = false;
        }
    }
}

/// A connection for one caller alone. It is not made anew when it is lost, because what the server
/// knew about it (watched keys) is lost with it.
#[derive(Debug)]
pub(crate) struct Lease {
    place: Place,
    watching: bool,
}

#[derive(Debug)]
enum Place {
    /// Closed when it is dropped.
    Own(Connection),
    /// Goes back to its pool.
    Pool(PoolLease),
}

impl Lease {
    pub(crate) fn connection(&self) -> &Connection {
        match &self.place {
            Place::Own(connection) => connection,
            Place::Pool(lease) => lease.connection(),
        }
    }

    /// WATCH.
    async fn watch(&mut self, command: &Command<'_>) -> Result<()> {
        // Also when this future is dropped before the reply.
        self.watching = true;
        self.run_once(command).await
    }

    async fn run_once(&self, command: &Command<'_>) -> Result<()> {
        self.connection().run_command(command).await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.watching {
            self.connection()
                .send_detached(&Command::new(&spec::UNWATCH));
        }
    }
}
