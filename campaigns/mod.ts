/** Whom to call back with which offer; the schema of what is shown stands in `views.ts`. */
export { bestOffer, CAMPAIGN_STATEMENTS, type CampaignQuery, Campaigns } from "./campaigns.ts";
export type { Campaign } from "./views.ts";
