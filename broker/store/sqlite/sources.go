package sqlite

import (
	"bytes"
	"context"

	"apostille/broker/store"
)

// Source implements store.Sources.
func (s *Store) Source(ctx context.Context, h store.Hash) (store.Source, bool, error) {
	out := store.Source{Hash: h}
	var until int64
	ok, err := s.readRow(ctx, `SELECT session, trust, value, until FROM sources WHERE hash = ? AND until > ?`,
		[]any{h[:], s.micros()}, &out.Session, &out.Trust, &out.Value, &until)
	if err != nil || !ok {
		return store.Source{}, false, s.wrap("source", err)
	}
	out.Until = timeAt(until)
	return out, true, nil
}

// PutSource implements store.Sources: each way is one atomic statement.
func (s *Store) PutSource(ctx context.Context, put store.Source, was []byte) (bool, error) {
	if err := store.CheckSource(put); err != nil {
		return false, err
	}
	put.Value, was = bytes.Clone(put.Value), bytes.Clone(was)
	return do(ctx, s, "put source", func(b *batch) (bool, error) {
		if was == nil {
			n, err := b.exec(`
				INSERT INTO sources (hash, session, trust, value, until) VALUES (?1, ?2, ?3, ?4, ?5)
				ON CONFLICT (hash) DO UPDATE SET session = excluded.session, trust = excluded.trust, value = excluded.value, until = excluded.until
				WHERE sources.until <= ?6`,
				put.Hash[:], put.Session, put.Trust, put.Value, put.Until.UnixMicro(), s.micros())
			return n == 1, err
		}
		n, err := b.exec(`UPDATE sources SET session = ?, trust = ?, value = ?, until = ? WHERE hash = ? AND value = ? AND until > ?`,
			put.Session, put.Trust, put.Value, put.Until.UnixMicro(), put.Hash[:], was, s.micros())
		return n == 1, err
	})
}

// endSources forgets the sources of a session, "" = of every trust.
func (b *batch) endSources(session, trust string) error {
	var c condition
	c.equal("session", session)
	c.equal("trust", trust)
	_, err := b.exec(`DELETE FROM sources WHERE `+c.text(), c.args...)
	return err
}
