package family

import (
	"context"
	"errors"
	"fmt"

	"apostille/broker/mint"
	"apostille/broker/store"
)

// Attend remembers that a session signed somebody in to a SAML application. It is a family without tokens: it ends with the session, the
// application is told then, and the person sees it among theirs. One that is there already is enough.
func (f *Families) Attend(ctx context.Context, s SignIn) error {
	if s.Session == "" || s.Client == "" || s.NameID == nil {
		return errors.New("family: to attend takes a session, an application and a NameID")
	}
	attended, err := f.attended(ctx, s)
	if err != nil || attended {
		return err
	}
	d := f.recordOf(s)
	d.NameID, d.Request = s.NameID, nil
	value, err := d.encode()
	if err != nil {
		return err
	}
	subject, now := s.Subject, f.Now()
	subject.Family = mint.NewID()
	// A code that nobody ever sees, since families come of codes: so there is one way for the store to make one.
	code := hash(mint.NewSecret())
	if err := f.Store.PutCode(ctx, store.Code{Hash: code, Value: value, Session: s.Session, Until: now.Add(CodeLife)}); err != nil {
		return fmt.Errorf("family: attending: %w", err)
	}
	fam := store.Family{
		ID: subject.Family, Session: s.Session, Client: s.Client, Trust: subject.Trust, Sub: subject.Sub, SID: s.SID,
		Subject: value, Created: now, Until: subject.Expires,
	}
	if _, err := f.Store.RedeemCode(ctx, code, fam, nil); err != nil {
		return fmt.Errorf("family: attending: %w", err)
	}
	spender := &codeSpender{families: f, subject: subject, session: s.Session}
	return spender.sessionLives(ctx)
}

// attended says whether the same is remembered already.
func (f *Families) attended(ctx context.Context, s SignIn) (bool, error) {
	list, err := f.Store.ListFamilies(ctx, store.FamilyQuery{Session: s.Session, Client: s.Client, Trust: s.Subject.Trust, Sub: s.Subject.Sub}, 8)
	if err != nil {
		return false, fmt.Errorf("family: attending: %w", err)
	}
	for _, fam := range list {
		if kept, err := Read(fam); err == nil && kept.NameID != nil && *kept.NameID == *s.NameID {
			return true, nil
		}
	}
	return false, nil
}
