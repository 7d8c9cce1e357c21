package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"apostille/broker/store"
)

const consentColumns = `sub, client, scopes, given`

func scanConsent(rows *sql.Rows) (store.Consent, error) {
	var c store.Consent
	var scopes []byte
	var given sql.NullInt64
	if err := rows.Scan(&c.Sub, &c.Client, &scopes, &given); err != nil {
		return store.Consent{}, err
	}
	c.Given = timeOf(given)
	return c, json.Unmarshal(scopes, &c.Scopes)
}

// Consent implements store.Consents.
func (s *Store) Consent(ctx context.Context, sub, client string) (store.Consent, bool, error) {
	rows, err := s.readRows(ctx, `SELECT `+consentColumns+` FROM consents WHERE sub = ? AND client = ?`, sub, client)
	list, err := collect(rows, err, scanConsent)
	if err != nil || len(list) == 0 {
		return store.Consent{}, false, s.wrap("consent", err)
	}
	return list[0], true, nil
}

// PutConsent implements store.Consents.
func (s *Store) PutConsent(ctx context.Context, c store.Consent) error {
	if c.Sub == "" || c.Client == "" {
		return fmt.Errorf("%w: a consent without a subject or a client", store.ErrInvalid)
	}
	scopes, err := json.Marshal(c.Scopes)
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	if c.Given.IsZero() {
		c.Given = s.now()
	}
	return s.exec(ctx, "put consent", func(b *batch) error {
		_, err := b.exec(`
			INSERT INTO consents (sub, client, scopes, given) VALUES (?, ?, ?, ?)
			ON CONFLICT (sub, client) DO UPDATE SET scopes = excluded.scopes, given = excluded.given`,
			c.Sub, c.Client, string(scopes), micros(c.Given))
		return err
	})
}

// WithdrawConsent implements store.Consents.
func (s *Store) WithdrawConsent(ctx context.Context, sub, client string) ([]store.Family, error) {
	if sub == "" || client == "" {
		return nil, fmt.Errorf("%w: a consent without a subject or a client", store.ErrInvalid)
	}
	return do(ctx, s, "withdraw consent", func(b *batch) ([]store.Family, error) {
		if _, err := b.exec(`DELETE FROM consents WHERE sub = ? AND client = ?`, sub, client); err != nil {
			return nil, err
		}
		_, err := b.exec(`DELETE FROM codes WHERE family IS NULL AND session IN (SELECT session FROM identities WHERE sub = ?)`, sub)
		if err != nil {
			return nil, err
		}
		return b.endFamilies(store.FamilyQuery{Sub: sub, Client: client}, store.WhyConsent, s.micros())
	})
}

// ListConsents implements store.Consents.
func (s *Store) ListConsents(ctx context.Context, sub string) ([]store.Consent, error) {
	rows, err := s.readRows(ctx, `SELECT `+consentColumns+` FROM consents WHERE sub = ? ORDER BY client`, sub)
	list, err := collect(rows, err, scanConsent)
	return list, s.wrap("list consents", err)
}
