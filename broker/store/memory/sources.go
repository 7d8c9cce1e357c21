package memory

import (
	"bytes"
	"context"

	"apostille/broker/store"
)

// Source implements store.Sources.
func (s *Store) Source(ctx context.Context, h store.Hash) (store.Source, bool, error) {
	now, err := s.lock(ctx)
	if err != nil {
		return store.Source{}, false, err
	}
	defer s.mu.Unlock()
	found, ok := s.sources[h]
	if !ok || !found.Until.After(now) {
		return store.Source{}, false, nil
	}
	found.Value = bytes.Clone(found.Value)
	return found, true, nil
}

// PutSource implements store.Sources.
func (s *Store) PutSource(ctx context.Context, put store.Source, was []byte) (bool, error) {
	if err := store.CheckSource(put); err != nil {
		return false, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	old, ok := s.sources[put.Hash]
	if ok = ok && old.Until.After(now); ok != (was != nil) || ok && !bytes.Equal(old.Value, was) {
		return false, nil
	}
	if !ok && len(s.sources) >= s.maxRecords {
		return false, store.ErrFull
	}
	put.Value, put.Until = bytes.Clone(put.Value), cut(put.Until)
	s.sources[put.Hash] = put
	return true, nil
}

// endSources forgets the sources of a session, "" = of every trust.
func (r *records) endSources(session, trust string) {
	for h, found := range r.sources {
		if found.Session == session && (trust == "" || found.Trust == trust) {
			delete(r.sources, h)
		}
	}
}
