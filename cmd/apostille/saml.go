package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"apostille/broker/authflow"
	"apostille/broker/config"
	"apostille/broker/keyring"
	"apostille/broker/logout"
	"apostille/broker/samlidp"
	"apostille/trust"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"
)

// samlKeys are our keys for SAML. They are opened, and at first made, when somebody needs them: RSA keys take a while, and many installations
// never speak SAML.
type samlKeys struct {
	open func(context.Context, keyring.Purpose) (*keyring.Ring, error)

	mu                  sync.Mutex
	signing, encryption *keyring.Ring
}

// rings returns the two rings.
func (k *samlKeys) rings() (signing, encryption *keyring.Ring, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.signing == nil {
		k.signing, err = k.ring(keyring.SAMLSigning)
	}
	if k.encryption == nil && err == nil {
		k.encryption, err = k.ring(keyring.SAMLEncryption)
	}
	return k.signing, k.encryption, err
}

func (k *samlKeys) ring(p keyring.Purpose) (*keyring.Ring, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // not of the request that came first
	defer cancel()
	r, err := k.open(ctx, p)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Own is what upstream/saml signs and decrypts with, and publishes.
func (k *samlKeys) Own() (saml.OwnKeys, error) {
	signing, encryption, err := k.rings()
	if err != nil {
		return saml.OwnKeys{}, err
	}
	return saml.OwnKeys{Signing: published(signing), Encryption: published(encryption)}, nil
}

func published(r *keyring.Ring) (list []saml.OwnKey) {
	for _, k := range r.Certified() {
		list = append(list, saml.OwnKey{Key: k.Key, Certificate: k.Certificate})
	}
	return list
}

// Refresh follows the store, if there are keys yet.
func (k *samlKeys) Refresh(ctx context.Context) (err error) {
	k.mu.Lock()
	open := []*keyring.Ring{k.signing, k.encryption}
	k.mu.Unlock()
	for _, r := range open {
		if r != nil {
			err = errors.Join(err, r.Refresh(ctx))
		}
	}
	return err
}

// newSAML makes the service provider, and its keys if a trust needs them.
func (s *server) newSAML(cfg *config.Config) (*saml.ServiceProvider, error) {
	s.samlKeys.open = func(ctx context.Context, p keyring.Purpose) (*keyring.Ring, error) {
		return keyring.Open(ctx, keyring.Config{Purpose: p, Name: hostOf(cfg.Issuer), Store: s.store, KEK: s.kek, Now: time.Now, Log: s.log})
	}
	if len(cfg.SAMLLogins)+len(cfg.FederationLogins)+len(cfg.SAMLApps) > 0 { // a corrupt key stops the start
		if _, err := s.samlKeys.Own(); err != nil {
			return nil, err
		}
	}
	return &saml.ServiceProvider{
		Issuer: cfg.Issuer, Configs: s.samlLogin,
		Keys: s.signers(), Own: s.samlKeys.Own, Now: time.Now, Log: s.log,
	}, nil
}

// leaving knows where people sign out at their office, whatever it speaks.
type leaving struct {
	oidc *oidc.RelyingParty
	saml *saml.ServiceProvider
}

func (l leaving) LogoutURL(ctx context.Context, t *trust.Trust, hint, returnTo, state string) (string, error) {
	if t.Spec.Login != nil && t.Spec.Login.Protocol == trust.ProtocolSAML {
		return l.saml.LogoutURL(ctx, t, hint, returnTo, state)
	}
	return l.oidc.LogoutURL(ctx, t, hint, returnTo, state)
}

// identityProvider is what SAML applications sign people in with. With people's logout it is wired both ways: an application may begin one, and
// is asked in the course of another's.
func (s *server) identityProvider(cfg *config.Config, logins *authflow.Flow, out *logout.Endpoint) *samlidp.Endpoint {
	in := s.signIn
	idp := &samlidp.Endpoint{
		Issuer: cfg.Issuer, Base: basePath(cfg.Issuer), Registry: func() samlidp.Registry { return s.policy.Load().Registry },
		Apps: func(id string) (samlidp.App, bool) { a, ok := s.config.Load().SAMLApps[id]; return samlidp.App(a), ok },
		Own:  s.samlKeys.signers, Sessions: in.sessions, Logins: logins, Standings: in.standings, Families: in.families, Leaver: out, Replay: s.store,
		Box: in.box, Pages: in.pages, Pairwise: s.pairwise, Audit: s.recent, Sampled: s.strangers, Remote: remote(cfg.Listener.Behind),
		Limit: s.allowIP, Observer: s.metrics, Now: time.Now, Log: s.log,
	}
	out.SAML = idp
	return idp
}

// signers are the keys that we sign with towards applications.
func (k *samlKeys) signers() (list []samlidp.OwnKey, err error) {
	signing, _, err := k.rings()
	if err != nil {
		return nil, err
	}
	for _, key := range signing.Certified() {
		list = append(list, samlidp.OwnKey{Key: key.Key, Certificate: key.Certificate})
	}
	return list, nil
}
