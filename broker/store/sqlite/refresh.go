package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"apostille/broker/store"
)

// Refresh implements store.Families.
func (s *Store) Refresh(ctx context.Context, h store.Hash) (store.Refresh, store.Family, bool, error) {
	var f familyRow
	var until int64
	var used bool
	ok, err := s.readRow(ctx, `
		SELECT refresh.until, rotated IS NOT NULL, `+familyColumns+` FROM refresh JOIN families ON id = family WHERE hash = ?`,
		[]any{h[:]}, append([]any{&until, &used}, f.columns()...)...)
	if err != nil || !ok {
		return store.Refresh{}, store.Family{}, false, s.wrap("refresh", err)
	}
	return store.Refresh{Hash: h, Family: f.ID, Until: timeAt(until), Used: used}, f.family(), true, nil
}

// rotated is what Rotate returns beside its error.
type rotated struct {
	out    store.Rotated
	answer []byte
}

// Rotate implements store.Families.
func (s *Store) Rotate(ctx context.Context, r store.Rotation) (store.Rotated, []byte, error) {
	r.Answer = bytes.Clone(r.Answer)
	got, err := do(ctx, s, "rotate", func(b *batch) (rotated, error) { return b.rotate(r, s.now()) })
	return got.out, got.answer, err
}

func (b *batch) rotate(r store.Rotation, now time.Time) (rotated, error) {
	t, ok, err := b.token(r.Old)
	if err != nil || !ok {
		return rotated{}, err
	}
	if err := r.Check(t.Family.ID); err != nil {
		return rotated{}, err
	}
	switch out := t.Rotate(r, now); out {
	case store.RotationDone:
		return rotated{out: out, answer: r.Answer}, b.succeed(t, r, now)
	case store.RotationRepeat:
		return rotated{out: out, answer: t.answer}, nil
	case store.RotationReused:
		_, err := b.endFamilies(store.FamilyQuery{ID: t.Family.ID}, store.WhyReuse, now.UnixMicro())
		return rotated{out: out}, err
	default:
		return rotated{out: out}, nil
	}
}

// token is a stored refresh token with what decides about it.
type token struct {
	store.RefreshState
	prev, answer []byte
}

func (b *batch) token(h store.Hash) (token, bool, error) {
	var t token
	var until, familyUntil int64
	var rotated, grace, ended sql.NullInt64
	f := &t.Family
	ok, err := b.row(`
		SELECT r.until, r.prev, r.rotated, r.grace, r.answer, n.hash IS NULL OR n.rotated IS NOT NULL,
			f.id, f.client, f.until, f.ended, f.why
		FROM refresh r JOIN families f ON f.id = r.family LEFT JOIN refresh n ON n.hash = r.next
		WHERE r.hash = ?`,
		[]any{h[:]}, &until, &t.prev, &rotated, &grace, &t.answer, &t.Spent,
		&f.ID, &f.Client, &familyUntil, &ended, &f.Why)
	if err != nil || !ok {
		return token{}, false, err
	}
	t.Refresh = store.Refresh{Hash: h, Family: f.ID, Until: timeAt(until)}
	t.Rotated, t.Grace = timeOf(rotated), time.Duration(grace.Int64)*time.Microsecond
	f.Until, f.Ended = timeAt(familyUntil), timeOf(ended)
	return t, true, nil
}

// succeed puts the successor in place. From here on the answer of the rotation before is nobody's any more.
func (b *batch) succeed(t token, r store.Rotation, now time.Time) error {
	r.Next.Family = t.Family.ID
	if err := b.addRefresh(r.Next, r.Old[:]); err != nil {
		return err
	}
	answer := r.Answer
	if r.Grace <= 0 {
		answer = nil
	}
	_, err := b.exec(`UPDATE refresh SET next = ?, rotated = ?, grace = ?, answer = ? WHERE hash = ?`,
		r.Next.Hash[:], now.UnixMicro(), r.Grace.Microseconds(), answer, r.Old[:])
	if err != nil || t.prev == nil {
		return err
	}
	_, err = b.exec(`UPDATE refresh SET answer = NULL WHERE hash = ? AND answer IS NOT NULL`, t.prev)
	return err
}

func (b *batch) addRefresh(r store.Refresh, prev []byte) error {
	return b.add("that refresh token", `
		INSERT INTO refresh (hash, family, until, prev) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		r.Hash[:], r.Family, r.Until.UnixMicro(), prev)
}
