package sqlite

import (
	"context"
	"database/sql"
	"time"

	"apostille/broker/store"
)

const (
	sweepEvery = time.Minute
	sweepBatch = 500 // rows in one transaction: writes wait that long at most
	// sweepGrace is how long an expired mark is kept. If the clock is set back after a sweep, a credential comes to
	// life again, and its mark must still be there.
	sweepGrace = 10 * time.Minute
)

// broom deletes one sort of row: at most ?2 that were over at ?1.
type broom struct {
	what  string
	kept  time.Duration // how long what is over stays
	query string
}

var brooms = []broom{
	{"replay marks", sweepGrace, `DELETE FROM replay WHERE mark IN (SELECT mark FROM replay WHERE until <= ?1 LIMIT ?2)`},
	{"pending things", 0, `DELETE FROM pendings WHERE seq IN (SELECT seq FROM pendings WHERE until <= ?1 LIMIT ?2)`},
	{"codes that nobody redeemed", store.CodeKept, `
		DELETE FROM codes WHERE hash IN (SELECT hash FROM codes WHERE family IS NULL AND until <= ?1 LIMIT ?2)`},
	{"codes", store.RedeemedKept, `DELETE FROM codes WHERE hash IN (SELECT hash FROM codes WHERE until <= ?1 LIMIT ?2)`},
	{"sealed answers", 0, `
		UPDATE refresh SET answer = NULL WHERE hash IN (
			SELECT hash FROM refresh WHERE answer IS NOT NULL AND rotated + grace <= ?1 LIMIT ?2)`},
	{"refresh tokens", store.RefreshKept, `DELETE FROM refresh WHERE hash IN (SELECT hash FROM refresh WHERE until <= ?1 LIMIT ?2)`},
	{"refresh tokens of ended families", store.FamilyKept, `
		DELETE FROM refresh WHERE hash IN (
			SELECT r.hash FROM families f JOIN refresh r ON r.family = f.id WHERE coalesce(f.ended, f.until) <= ?1 LIMIT ?2)`},
	// Those of a session stay as long as it: when it ends, their applications are told.
	{"families", store.FamilyKept, `
		DELETE FROM families WHERE id IN (
			SELECT id FROM families f WHERE coalesce(f.ended, f.until) <= ?1
				AND NOT EXISTS (SELECT 1 FROM refresh WHERE family = f.id)
				AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = f.session) LIMIT ?2)`},
	// Identities go first: a session that is gone leaves none behind. One that is not over keeps its session, which nobody finds any more,
	// for the families that began in it: an upstream's logout may name the session only.
	{"identities", 0, `
		DELETE FROM identities WHERE rowid IN (
			SELECT i.rowid FROM sessions s JOIN identities i ON i.session = s.id WHERE s.until <= ?1 AND i.until <= ?1 LIMIT ?2)`},
	{"sessions", 0, `
		DELETE FROM sessions WHERE id IN (
			SELECT id FROM sessions s WHERE until <= ?1
				AND NOT EXISTS (SELECT 1 FROM identities WHERE session = s.id) LIMIT ?2)`},
	{"sources", 0, `DELETE FROM sources WHERE hash IN (SELECT hash FROM sources WHERE until <= ?1 LIMIT ?2)`},
	{"opaque tokens", 0, `DELETE FROM opaque WHERE hash IN (SELECT hash FROM opaque WHERE until <= ?1 LIMIT ?2)`},
	{"revocations", store.RevocationKept, `DELETE FROM revoked WHERE jti IN (SELECT jti FROM revoked WHERE until <= ?1 LIMIT ?2)`},
	{"deliveries", store.DeliveryKept, `
		DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE coalesce(done, failed) <= ?1 LIMIT ?2)`},
}

// sweeper deletes what is over, between batches of writes. It rides on writes: a store that is not written to does not
// grow, and needs no timer.
type sweeper struct {
	store   *Store
	last    time.Time // when a sweep last began
	next    int       // the broom it goes on with
	running bool      // the sweep is not over
}

// step lets one broom delete one batch, if a sweep is under way or due. A broom that finds nothing costs a look into an index, so the
// next one follows in the same step.
func (w *sweeper) step() {
	now := w.store.now()
	if !w.running {
		if since := now.Sub(w.last); since >= 0 && since < sweepEvery {
			return
		}
		w.last, w.next, w.running = now, 0, true
	}
	for w.running {
		b := brooms[w.next]
		n, err := w.store.sweep(b, now)
		if err != nil {
			w.store.log.Warn("store: what is over stays for another minute", "what", b.what, "error", err)
		}
		if err != nil || n < sweepBatch {
			w.next++
		}
		w.running = w.next < len(brooms) && !w.store.isClosing()
		if n > 0 || err != nil {
			return
		}
	}
}

// sweep deletes one batch of what a broom is for and says how many rows there were.
func (s *Store) sweep(b broom, now time.Time) (n int64, err error) {
	ctx := context.Background()
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, b.query, now.Add(-b.kept).UnixMicro(), sweepBatch)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

func (s *Store) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}
