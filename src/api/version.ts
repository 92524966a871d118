/** The Kubernetes whose API this is: what /version and clients say. */
export const kubernetesVersion = "v1.36.2+capstan";
