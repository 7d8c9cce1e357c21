package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"apostille/broker/store"
)

// Family implements store.Families.
func (s *Store) Family(ctx context.Context, id string) (store.Family, bool, error) {
	if _, err := s.lock(ctx); err != nil {
		return store.Family{}, false, err
	}
	defer s.mu.Unlock()
	f, ok := s.families[id]
	if !ok {
		return store.Family{}, false, nil
	}
	return copyFamily(f), true, nil
}

// UpdateFamily implements store.Families.
func (s *Store) UpdateFamily(ctx context.Context, id string, subject []byte, until time.Time) (bool, error) {
	now, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	f, ok := s.families[id]
	if !ok || !f.Lives(now) {
		return false, nil
	}
	f.Subject = bytes.Clone(subject)
	if until = cut(until); !until.IsZero() && until.Before(f.Until) {
		f.Until = until
	}
	return true, nil
}

// EndFamilies implements store.Families.
func (s *Store) EndFamilies(ctx context.Context, q store.FamilyQuery, why string) ([]store.Family, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return s.end(q, why, now), nil
}

// end ends the living families that match and returns them as they were.
func (r *records) end(q store.FamilyQuery, why string, now time.Time) []store.Family {
	list := r.living(q, now)
	for _, f := range list {
		stored := r.families[f.ID]
		stored.Ended, stored.Why = now, why
	}
	return list
}

// logOut ends the families that match, and returns those too that were over without a logout: their applications may still have the
// person signed in.
func (r *records) logOut(q store.FamilyQuery, now time.Time) (list []store.Family) {
	for _, f := range r.families {
		if !matches(q, f) || f.Why == store.WhyLogout || f.Why == store.WhyConsent {
			continue
		}
		was := copyFamily(f)
		was.Ended, was.Why = time.Time{}, ""
		list = append(list, was)
		if f.Why = store.WhyLogout; f.Ended.IsZero() {
			f.Ended = now
		}
	}
	return list
}

// ListFamilies implements store.Families.
func (s *Store) ListFamilies(ctx context.Context, q store.FamilyQuery, limit int) ([]store.Family, error) {
	now, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return atMost(s.living(q, now), limit), nil
}

// living returns copies of the living families that match, the newest first.
func (r *records) living(q store.FamilyQuery, now time.Time) []store.Family {
	var list []store.Family
	if f, ok := r.families[q.ID]; ok && f.Lives(now) && matches(q, f) {
		return []store.Family{copyFamily(f)}
	}
	if q.ID != "" {
		return nil
	}
	for _, f := range r.families {
		if f.Lives(now) && matches(q, f) {
			list = append(list, copyFamily(f))
		}
	}
	slices.SortFunc(list, func(a, b store.Family) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func matches(q store.FamilyQuery, f *store.Family) bool {
	fits := func(want, is string) bool { return want == "" || want == is }
	return fits(q.ID, f.ID) && fits(q.Session, f.Session) && fits(q.Client, f.Client) && fits(q.Trust, f.Trust) && fits(q.Sub, f.Sub)
}

// addFamily stores a family and its first refresh token, if it has one.
func (r *records) addFamily(f store.Family, first *store.Refresh) error {
	if _, taken := r.families[f.ID]; taken {
		return fmt.Errorf("%w: family %q exists", store.ErrInvalid, f.ID)
	}
	if len(r.families) >= r.maxRecords {
		return store.ErrFull
	}
	if first != nil {
		if err := r.addRefresh(&refreshToken{Refresh: *first}, f.ID); err != nil {
			return err
		}
	}
	f = copyFamily(&f)
	f.Created, f.Until = cut(f.Created), cut(f.Until)
	r.families[f.ID] = &f
	return nil
}

func copyFamily(f *store.Family) store.Family {
	out := *f
	out.Subject = bytes.Clone(f.Subject)
	return out
}

// atMost is list cut to limit; a limit of zero or less leaves nothing.
func atMost[T any](list []T, limit int) []T { return list[:min(len(list), max(limit, 0))] }
