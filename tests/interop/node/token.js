// An access token by Twilio's package for Node. Arguments: account, key, secret, and {identity, ttl, grant} as JSON.

import twilio from "twilio";

const [account, key, secret, wanted] = process.argv.slice(2);
const { identity, ttl, grant } = JSON.parse(wanted);
const { AccessToken } = twilio.jwt;
const token = new AccessToken(account, key, secret, { identity, ttl });
token.addGrant(new AccessToken.VoiceGrant(grant));
process.stdout.write(token.toJwt());
