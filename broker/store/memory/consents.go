package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"apostille/broker/store"
)

// grantor is who allowed whom.
type grantor struct{ sub, client string }

// Consent implements store.Consents.
func (s *Store) Consent(ctx context.Context, sub, client string) (store.Consent, bool, error) {
	if _, err := s.lock(ctx); err != nil {
		return store.Consent{}, false, err
	}
	defer s.mu.Unlock()
	c, ok := s.consents[grantor{sub, client}]
	return copyConsent(c), ok, nil
}

// PutConsent implements store.Consents.
func (s *Store) PutConsent(ctx context.Context, c store.Consent) error {
	if c.Sub == "" || c.Client == "" {
		return fmt.Errorf("%w: a consent without a subject or a client", store.ErrInvalid)
	}
	now, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if c.Given.IsZero() {
		c.Given = now
	}
	key := grantor{c.Sub, c.Client}
	if _, ok := s.consents[key]; !ok && len(s.consents) >= s.maxRecords {
		return store.ErrFull
	}
	c.Given = cut(c.Given)
	s.consents[key] = copyConsent(c)
	return nil
}

// WithdrawConsent implements store.Consents.
func (s *Store) WithdrawConsent(ctx context.Context, sub, client string) ([]store.Family, error) {
	if sub == "" || client == "" {
		return nil, fmt.Errorf("%w: a consent without a subject or a client", store.ErrInvalid)
	}
	now, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	delete(s.consents, grantor{sub, client})
	for _, found := range s.sessions {
		if slices.ContainsFunc(found.Identities, picks(store.SessionQuery{Sub: sub})) {
			s.dropCodes(found.ID)
		}
	}
	return s.end(store.FamilyQuery{Sub: sub, Client: client}, store.WhyConsent, now), nil
}

// ListConsents implements store.Consents.
func (s *Store) ListConsents(ctx context.Context, sub string) ([]store.Consent, error) {
	if _, err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var list []store.Consent
	for key, c := range s.consents {
		if key.sub == sub {
			list = append(list, copyConsent(c))
		}
	}
	slices.SortFunc(list, func(a, b store.Consent) int { return cmp.Compare(a.Client, b.Client) })
	return list, nil
}

func copyConsent(c store.Consent) store.Consent {
	if c.Scopes == nil {
		return c
	}
	scopes := make(map[string][]string, len(c.Scopes))
	for api, list := range c.Scopes {
		scopes[api] = slices.Clone(list)
	}
	c.Scopes = scopes
	return c
}
