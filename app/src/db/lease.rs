//! A connection for one call, and what becomes of it when nobody waits for the answer any more.

use sqlx::{Connection as _, Error, pool::PoolConnection};

use super::{Connection, Pool, backend::Database};

/// A connection of the pool, to be given back by [`Self::end`] when its call is answered.
///
/// One that is dropped earlier, by a deadline or because the client left, goes back when the answer has come. The pool
/// by itself would take an error in that answer for a broken connection and close it, which in sqlx 0.9 with TLS waits
/// for a word that the server never says: the pool would be smaller by one for good.
pub(super) struct Lease(Option<PoolConnection<Database>>);

impl Lease {
    pub(super) async fn begin(pool: &Pool) -> Result<Self, Error> {
        pool.acquire().await.map(Some).map(Self)
    }

    #[expect(clippy::expect_used, reason = "only `end` takes it, and consumes the lease")]
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.0.as_mut().expect("it has not ended")
    }

    pub(super) fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(mut connection) = self.0.take() {
            // Whatever is amiss with it, the pool finds out when it gets it back.
            tokio::spawn(async move {
                let _ = connection.ping().await;
            });
        }
    }
}
